"""The model server: what runs between API Gateway and a model. Kept light on purpose.

It imports the standard library and ``halftone.domain``; boto3, numpy and onnxruntime only when a
model is loaded that needs them, which is before traffic and never in a request.
"""
