"""What is read off: tables of a conducted trial, its endpoints and their intervals."""
