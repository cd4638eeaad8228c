"""Who asks, as an HTTP API tells a function behind an IAM-authorised route.

AWS: "Controlling access to HTTP APIs with IAM authorization": a request that is not signed gets
403; "Payload format version 2.0" has the caller in requestContext.authorizer.iam: its access key,
account, and the ARN of the user, or of the session of a role, in userArn.
"""

import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ECHO = """
    import json
    def handler(event, context):
        return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}
"""
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
        ],
    }
)
MAY_INVOKE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "arn:aws:execute-api:us-east-1:000000000042:*/$default/*/v1/*",
            }
        ],
    }
)


@pytest.fixture
def url(aws, client, function, unique):
    """A route ``ANY /v1/{proxy+}`` that IAM authorises, in front of a function that echoes."""
    api, arn = client("apigatewayv2"), function(ECHO).arn
    made = api.create_api(Name=unique("api"), ProtocolType="HTTP")["ApiId"]
    integration = api.create_integration(
        ApiId=made,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    api.create_route(
        ApiId=made,
        RouteKey="ANY /v1/{proxy+}",
        Target=f"integrations/{integration}",
        AuthorizationType="AWS_IAM",
    )
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    return f"{aws.endpoint_url}/_aws/execute-api/{made}/$default/v1/things?limit=2"


def ask(url, *keys):
    """Status and authorizer block of a request that is signed with ``keys`` (none: not signed)."""
    request = AWSRequest("POST", url, data="{}", headers={"content-type": "application/json"})
    if keys:
        SigV4Auth(Credentials(*keys), "execute-api", "us-east-1").add_auth(request)
    sent = urllib.request.Request(url, b"{}", dict(request.headers), method="POST")
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, None


def test_an_unsigned_request_is_refused(url):
    assert ask(url) == (403, None)


def test_the_account_s_root(aws, url):
    environment = aws.environment()
    keys = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    status, authorizer = ask(url, *keys)
    account = environment["AWS_ACCESS_KEY_ID"]
    assert (status, authorizer["iam"]["userArn"]) == (200, f"arn:aws:iam::{account}:root")


def test_a_user(client, url, unique):
    iam, name = client("iam"), unique("user")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=MAY_INVOKE)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    status, authorizer = ask(url, key["AccessKeyId"], key["SecretAccessKey"])
    assert (status, authorizer["iam"]["userArn"]) == (200, arn)


def test_a_session_of_a_role(client, url, unique):
    iam, name = client("iam"), unique("role")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=MAY_INVOKE)
    session = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ann")
    keys = session["Credentials"]
    status, authorizer = ask(
        url, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    )
    account = role["Arn"].split(":")[4]
    assert status == 200
    assert authorizer["iam"]["userArn"] == f"arn:aws:sts::{account}:assumed-role/{name}/ann"


def test_a_caller_whom_no_policy_lets_in_is_refused(client, url, unique):
    iam, name = client("iam"), unique("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert ask(url, key["AccessKeyId"], key["SecretAccessKey"]) == (403, None)
