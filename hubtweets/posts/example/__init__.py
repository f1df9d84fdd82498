"""An example archive of a made-up author."""
