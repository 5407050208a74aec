"""Every page, driven as a person would, through Streamlit's own test driver."""
