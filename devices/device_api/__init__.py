"""What devices call over HTTP, each with its own secret. Plain views: publishing is the busiest path there is."""
