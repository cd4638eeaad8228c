"""Who may do what on the local AWS: signatures, policies, and what AWS's own services may call.

ministack verifies SigV4, gives each function the credentials of its own role and evaluates identity
and resource policies under ``AUTH=true``. These modules add what it lacks and Halftone relies on:
the condition keys of DynamoDB and CloudWatch, Lambda's actions and its qualified ARNs, the
permission of each service that invokes a function, and a line in the log for each refusal.
"""
