"""What is measured on the web pages, on its way to the processor: judged, queued, sent on. No HTTP server here."""
