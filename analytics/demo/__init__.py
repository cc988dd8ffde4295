"""A believable company to look at: planned here in pure values, told through the services that real data takes."""
