"""The event stream: tells a person's pages that something changed, so that they fetch their own HTML again."""
