"""How documents are parsed, limited, planned and executed. Knows none of the schema's types."""
