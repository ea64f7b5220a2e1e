"""Foundation of the REST API: keys, endpoints, problem documents, paging, idempotency and the OpenAPI document.

How a call is processed: `authentication` finds the key's actor; `endpoints` checks what the key may do and reads body
and query with their serializers; the function in the app's `api` package calls the same filters, forms and actions as
the console; `problems` turns every refusal into a response.
"""
