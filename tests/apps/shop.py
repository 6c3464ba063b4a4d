"""A shop of several pages: a router with parameters, a cart that outlives them, links and code that navigate."""

from htag import Router, State, Tag

GOODS = {"tea": 4, "coffee": 6, "fruit & nuts": 9}


class Home(Tag.main):
    """The list of goods."""

    def init(self):
        Tag.h1("Goods")
        for name in GOODS:
            Tag.a(name, _href=f"#/goods/{name}")


class Goods(Tag.main):
    """One article: its name comes from the address."""

    def init(self, name):
        if name not in GOODS:
            Tag.h1(f"We do not sell {name}")
            return
        self.name = name
        Tag.h1(f"{name}: {GOODS[name]} €")
        Tag.button("buy", _onclick=self.buy)

    def buy(self, event):
        cart = self.root.cart
        cart[self.name] = cart.get(self.name, 0) + 1


class Order(Tag.main):
    """Two parameters, one of them an id."""

    def init(self, year, id):
        Tag.h1(f"Order {id} of {year}")


class Cart(Tag.main):
    """What was bought."""

    def init(self):
        Tag.h1("Cart")
        Tag.ul(lambda: [Tag.li(f"{count} of {name}") for name, count in self.root.cart.value.items()], _id="cart")
        Tag.button("order", _onclick=lambda event: self.root.router.navigate("/orders/2026/7"))


class Lost(Tag.main):
    """Nothing here."""

    def init(self, path):
        Tag.h1(f"Lost at {path}")


class Shop(Tag.App):
    """The frame around the pages."""

    def init(self):
        self.cart = State({})
        self.router = Router()
        self.router.add_route("/", Home)
        self.router.add_route("/goods/:name", Goods)
        self.router.add_route("/cart", Cart)
        self.router.add_route("/orders/:year/:id", Order)
        self.router.set_not_found(Lost)
        with Tag.header():
            Tag.a(
                lambda: f"cart ({sum(self.cart.value.values())})",
                _id="link",
                _href="#/cart",
                _class=lambda: "here" if self.router.path == "/cart" else "",
            )
        self <= self.router
