"""Charts: figures made of plain values, and the frame that every one of them is drawn in."""
