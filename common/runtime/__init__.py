"""What a function runs on: wired once per instance, started fast, and measured."""

__all__ = ["checkpoint", "metrics", "once", "wiring"]
