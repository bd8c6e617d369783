"""What operators ask and order: values that commands and pages render."""
