"""What is kept: tables, the functions that read and write them, and the two databases they run on."""
