"""GraphQL over HTTP and over WebSockets."""
