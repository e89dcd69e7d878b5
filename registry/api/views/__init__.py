"""The registry's endpoints, a module for each kind of caller's business."""
