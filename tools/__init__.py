"""What `make` calls: set-up, checks, locks and screenshots. No part of the product."""
