"""The public claim pages."""

urlpatterns: list = []
