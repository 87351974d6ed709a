"""What plugs into the ports of :mod:`storecore`: databases, mail, documents, secrets."""
