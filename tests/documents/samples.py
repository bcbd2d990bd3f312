"""One table of texts with secrets, and one of texts that only resemble them; every output is tested with both.

Each secret is made up and contains `CANARY` where its form allows it, so a test can search for it in any output.
"""

from __future__ import annotations

CANARY = "c4narY"
_HEX = "0123456789abcdef"
_JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjNG5hclkifQ.c4narYc2lnbmF0dXJl"
_KEY = "c4narYvdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

SECRET: tuple[tuple[str, str, str], ...] = (
    # (what it is, the text, the text as it leaves)
    ("a bearer header", f"Authorization: Bearer {CANARY}", "Authorization: Bearer ***"),
    ("a bearer header in JSON", f'{{"Authorization": "Bearer {CANARY}"}}', '{"Authorization": "Bearer ***"}'),
    ("a bearer token in prose", f"sent Bearer {CANARY}.x-y_z; refused", "sent Bearer ***; refused"),
    ("a basic header", "authorization: basic OmM0bmFyWQ==", "authorization: basic ***"),
    ("a basic credential in prose", "with Basic OmM0bmFyWQ== it works", "with Basic *** it works"),
    ("a shared key header", f"Authorization: SharedKey account:{CANARY}", "Authorization: SharedKey ***"),
    ("a header without a scheme", f"Authorization: {CANARY}", "Authorization: ***"),
    ("a cookie", f"Cookie: UserAuthentication={CANARY}; path=/", "Cookie: ***"),
    ("a function key in a header", f"x-functions-key: {CANARY}", "x-functions-key: ***"),
    ("a webhook secret in a header", f"X-Reconciler-Secret: {CANARY}", "X-Reconciler-Secret: ***"),
    ("a JSON web token", f"token {_JWT} expired", "token *** expired"),
    ("a JSON web token that is cut off", "eyJhbGciOiJSUzI1NiJ9c4narY", "***"),
    (
        "an older Azure DevOps token",
        "pat abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst used",
        "pat *** used",
    ),
    ("a newer Azure DevOps token", f"{'Ab3dEf7h' * 9}c4naAZDO4rYx", "***"),
    ("a GitHub token", f"remote said ghp_{CANARY}{_HEX}{_HEX} is bad", "remote said *** is bad"),
    ("a GitHub app token", f"ghs_{CANARY}{_HEX}{_HEX}", "***"),
    ("a fine-grained GitHub token", f"github_pat_11{CANARY}{_HEX}_{_HEX}", "***"),
    (
        "a client secret",
        f"AADSTS7000215: abc8Q~{CANARY}nT7Lr0aBcDeFgHiJkLmNoPqRs is invalid",
        "AADSTS7000215: *** is invalid",
    ),
    (
        "a client secret in a form",
        f"grant_type=x&client_secret={CANARY}&scope=y",
        "grant_type=x&client_secret=***&scope=y",
    ),
    ("a client assertion", f"client_assertion={CANARY}", "client_assertion=***"),
    ("a function key by its form", f"key {'Ab_d-f7h' * 5}c4nrAzFuYx12Qw==", "key ***"),
    ("a function key in a URL", f"https://app.example/api/plan?code={CANARY}", "https://app.example/api/plan?code=***"),
    ("a code without a URL", f"POST /api/reconcile?code={CANARY} failed", "POST /api/reconcile?code=*** failed"),
    (
        "a token in a URL",
        f"wss://x.example/a?api-version=7.1&token={CANARY}",
        "wss://x.example/a?api-version=7.1&token=***",
    ),
    ("a key in a URL", f"https://x.example/?key={CANARY}&a=b", "https://x.example/?key=***&a=***"),
    ("a query without a name", f"https://x.example/a?{CANARY}", "https://x.example/a?***"),
    (
        "a signed URL",
        f"https://x.blob.core.windows.net/c/b?sv=2024-11-04&sr=b&sig={CANARY}%3D now",
        "https://x.blob.core.windows.net/c/b?sv=***&sr=***&sig=*** now",
    ),
    ("a signature alone", f"sv=2024-11-04&sig={CANARY}%2B&se=x", "sv=2024-11-04&sig=***&se=x"),
    (
        "an operation's signed URL",
        f"https://management.azure.com/o?t=1&c={CANARY}",
        "https://management.azure.com/o?t=***&c=***",
    ),
    ("user and password in https", f"see https://ann:{CANARY}@host/path now", "see https://***@host/path now"),
    ("user and password in another scheme", f"amqps://ann:{CANARY}@bus.example", "amqps://***@bus.example"),
    ("a password with an @", f"postgres://ann:x@{CANARY}@db/x", "postgres://***@db/x"),
    ("a password with a slash", f"https://ann:x/{CANARY}@host/path", "https://***@host/path"),
    (
        "a token as the user",
        f"https://{CANARY}@github.com/fabrikam/pools.git",
        "https://***@github.com/fabrikam/pools.git",
    ),
    (
        "a storage connection string",
        f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={CANARY}==;EndpointSuffix=core.windows.net",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=***;EndpointSuffix=core.windows.net",
    ),
    ("a shared access signature", f"SharedAccessSignature=sv=x&sig={CANARY}", "SharedAccessSignature=***&sig=***"),
    ("a SAS header", f"SharedAccessSignature sr={CANARY}&sig=x", "SharedAccessSignature ***"),
    (
        "a bus connection string",
        f"Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey={CANARY}=",
        "Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey=***",
    ),
    (
        "a database connection string",
        f"Server=db;User Id=ann;Password={CANARY};",
        "Server=db;User Id=ann;Password=***;",
    ),
    ("a quoted password", f"password='two {CANARY} words'", "password='***'"),
    ("a password in JSON", f'{{"password": "{CANARY}", "user": "ann"}}', '{"password": "***", "user": "ann"}'),
    ("a setting", f"RECONCILER_GITHUB_SECRET_2={CANARY}", "RECONCILER_GITHUB_SECRET_2=***"),
    ("a token by its name", f"token: {CANARY}567", "token: ***"),
    ("a storage key", f"key {_KEY} is wrong", "key *** is wrong"),
    ("a long random run", f"used {'k3y' * 20}{CANARY} there", "used *** there"),
    (
        "a private key",
        f"read -----BEGIN RSA PRIVATE KEY-----\nMII{CANARY}\n-----END RSA PRIVATE KEY----- and went on",
        "read *** and went on",
    ),
    ("a private key that is cut off", f"-----BEGIN PRIVATE KEY-----\\nMII{CANARY}", "***"),
    ("a Slack webhook", f"https://hooks.slack.com/services/T0/B0/{CANARY}", "https://hooks.slack.com/***"),
    (
        "a Teams webhook",
        f"https://fabrikam.webhook.office.com/webhookb2/{CANARY}@y/IncomingWebhook/z",
        "https://fabrikam.webhook.office.com/***",
    ),
    ("a Discord webhook", f"https://discord.com/api/webhooks/1/{CANARY}", "https://discord.com/api/webhooks/***"),
)

HARMLESS: tuple[str, ...] = (
    "",
    "in sync; nothing to do",
    "RECONCILER_GIT_TOKEN: not set, but RECONCILER_CREDENTIAL=pat needs it",
    "RECONCILER_ALLOW_LOOPBACK=1",
    "the access level Basic + Test Plans, or Basic and Stakeholder",
    "use basic authentication, or a bearer token",
    "Basic authentication with any user and RECONCILER_AZURE_REPOS_SECRET as password",
    "exit code=2, code: 404",
    "11111111-2222-3333-4444-555555555555",
    "commit 0123456789abcdef0123456789abcdef01234567",
    "plan 3b1f5c0a9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a",
    "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-1/providers/Microsoft.DevOpsInfrastructure/pools/p",
    "/home/build/agent1/work2/folder3/specs4/estate5/pools6/one.yaml:3: pool.tags: is a list",
    "https://fabrikam-build.vault.azure.net/secrets/signing",
    "https://github.com/fabrikam/pools.git#main:specs",
    "https://dev.azure.com/fabrikam-prime/_settings/users",
    "http://127.0.0.1:8080/api/plan",
    "https://host:8443/path/ann@fabrikam.com",
    "GET https://dev.azure.com/fabrikam/_apis/build/definitions?api-version=7.2-preview.1&$top=1",
    "ann@fabrikam.com",
    "[fabrikam-prime]\\Platform Team",
    "Microsoft.TeamFoundation.Identity;S-1-9-1551374245-1204400969-2402986413-2179408616",
    "AVeryLongProjectNameOfTheDepartmentForBuilds2026Archive",
    "secrets, tokens=5, keyboard, monkey=banana, secretManagement: enabled",
    "-----BEGIN CERTIFICATE-----",
    "2026-11-28T18:06:03Z",
    "größe → 日本語",
)
