"""What Halftone is about, without AWS, clock or environment: values and decisions."""
