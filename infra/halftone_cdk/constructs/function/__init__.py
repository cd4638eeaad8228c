"""What every function is built from: code, layers, log group and published version."""
