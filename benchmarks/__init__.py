"""Figures the project carries: one module a figure, each prints ratios measured inside one run."""
