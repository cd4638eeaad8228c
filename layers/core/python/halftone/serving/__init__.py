"""The model server: what runs between API Gateway and a model. Kept light on purpose."""
