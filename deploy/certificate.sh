#!/bin/sh
# Makes a self-signed certificate for trying deploy/tls.yml: certificate.sh FOLDER HOST. Browsers will warn of it.
# The key is given to the user that nginx runs as in its container, and to nobody else.
set -eu

folder=$1
host=$2
image=nginxinc/nginx-unprivileged:1.30
nginx_user=101

mkdir -p "$folder"
chmod 755 "$folder"     # whatever the umask: nginx's user must get in
folder=$(cd "$folder" && pwd)
umask 077

[ ! -e "$folder/key.pem" ] || {
    echo "$folder/key.pem is there already: move it away first, if you want another one." >&2
    exit 1
}

openssl_command() { # in a container where the machine has no openssl
    if command -v openssl >/dev/null; then
        openssl "$@"
    else
        docker run --rm --user "$(id -u)" --volume "$folder:$folder" --entrypoint openssl "$image" "$@"
    fi
}

# CA:FALSE, with the uses of a server: what strict clients (Python 3.13) ask of a certificate that they are told to trust.
said=$(openssl_command req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host,DNS:localhost,IP:127.0.0.1" -addext basicConstraints=critical,CA:FALSE \
    -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth \
    -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>&1) || {
    echo "$said" >&2
    exit 1
}
chmod 644 "$folder/certificate.pem"
docker run --rm --user 0 --volume "$folder:/tls" --entrypoint chown "$image" "$nginx_user" /tls/key.pem
echo "$folder/certificate.pem and key.pem: self-signed, for $host and localhost, for a year."
