DELETE FROM pulse WHERE expires < :now;
