"""The foundation of the REST API: keys, endpoints, problem documents, pages, idempotency, the OpenAPI document.

A call: `authentication` finds the key's actor, `endpoints` checks what the key may do and reads body and query as their
serializers say, the function of the app's `api` package calls the same filters, forms and actions as the console, and
`problems` answers whatever was refused.
"""
