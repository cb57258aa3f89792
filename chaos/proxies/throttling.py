"""Throttling as AWS does it: a bucket of tokens, and each service's own words for "too fast"."""

from __future__ import annotations

# By signing name: the status and the code. From the APIs' references, "Common errors" and "Request
# throttling", and the error shapes of their models. SDKs retry each of them as a throttling error.
QUERY = (400, "Throttling")
TOO_MANY = (429, "TooManyRequestsException")
SLOW_DOWN = (503, "SlowDown")
ANSWERS: dict[str, tuple[int, str]] = {
    "apigateway": TOO_MANY,
    "athena": (400, "TooManyRequestsException"),
    "autoscaling": QUERY,
    "cloudformation": QUERY,
    "cloudfront": QUERY,
    "cognito-idp": (400, "TooManyRequestsException"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "ec2": (503, "RequestLimitExceeded"),
    "elasticache": QUERY,
    "elasticbeanstalk": QUERY,
    "elasticloadbalancing": QUERY,
    "iam": QUERY,
    "kafka": TOO_MANY,
    "kinesis": (400, "ProvisionedThroughputExceededException"),
    "lambda": TOO_MANY,
    "monitoring": QUERY,
    "organizations": (400, "TooManyRequestsException"),
    "rds": QUERY,
    "redshift": QUERY,
    "route53": QUERY,
    "s3": SLOW_DOWN,
    "s3express": SLOW_DOWN,
    "ses": QUERY,
    "sns": (429, "Throttled"),
    "sqs": (400, "RequestThrottled"),
    "sts": QUERY,
}
OTHERS = (400, "ThrottlingException")


def answer_of(service: str | None) -> tuple[int, str]:
    """Status and code by which the service, given by its signing name, says "too fast"."""
    return ANSWERS.get(service or "", OTHERS)


class Bucket:
    """A bucket that holds `size` tokens and is refilled with `rate` of them per second.

    "Request throttling for the Amazon EC2 API" calls it the token bucket algorithm.
    """

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate = rate
        self._size = size
        self._tokens = size
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token, if there is one; `now` never goes back."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
