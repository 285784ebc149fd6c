"""One module for each format; one function for each foreign reader of it."""
