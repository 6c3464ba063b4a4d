"""The load kit: people who use an htag app, without browsers."""
