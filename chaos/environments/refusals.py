"""Why AWS, or botocore, does not take our credentials, in a sentence that says what to do."""

from __future__ import annotations

LOGIN = "{message}; sign in again: aws login{profile}"
EXPIRED = "the credentials have expired; get new ones, where they are from{profile_named}"
UNKNOWN = (
    "AWS does not know these credentials, or the region is not enabled in their account ({message})"
)
# By the code of the service, or by botocore's name of the error.
REASONS = {
    "NoCredentialsError": (
        "no credentials are found here; name a profile with --profile, sign in with aws sso login,"
        " or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "UnauthorizedSSOTokenError": "the SSO session has ended; sign in: aws sso login{profile}",
    "SSOTokenLoadError": "there is no SSO session; sign in: aws sso login{profile}",
    "TokenRetrievalError": "the SSO session has ended; sign in: aws sso login{profile}",
    "LoginRefreshRequired": LOGIN,
    "LoginTokenLoadError": LOGIN,
    "LoginAuthorizationCodeError": LOGIN,
    "ProfileNotFound": "{message}; aws configure list-profiles shows those that there are",
    "CredentialRetrievalError": "{message}; mend what the profile{profile_named} runs or asks",
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "InvalidClientTokenId": UNKNOWN,
    "UnrecognizedClientException": UNKNOWN,
    "SignatureDoesNotMatch": "the secret key is wrong, or the clock of this machine ({message})",
    "AccessDenied": (
        "{message}; the role's trust policy has to name who we are, and the external id if it"
        " asks for one"
    ),
}
# Those that end a session in the middle of a drill. Others may be about one call alone.
ENDED = frozenset(REASONS) - {
    "AccessDenied",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


def why(code: str, message: str, profile: str | None) -> str:
    """The sentence for that code; `message` is what was said, `profile` whose credentials."""
    return REASONS.get(code, f"{code}: {{message}}").format(
        message=message.rstrip("."),
        profile=f" --profile {profile}" if profile else "",
        profile_named=f" (profile {profile})" if profile else "",
    )
