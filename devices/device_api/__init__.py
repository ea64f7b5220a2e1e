"""The HTTP API that devices call, each with its own secret. Plain views: publishing is the busiest path of all."""
