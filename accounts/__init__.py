"""Who signs in: staff with a password, customers with an emailed code, machines with an API key."""
