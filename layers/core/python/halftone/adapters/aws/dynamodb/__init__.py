"""The ports on one DynamoDB table."""
