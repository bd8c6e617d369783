"""What is done to the project itself: releasing it, and trying it on other Pythons. None of it is shipped."""
