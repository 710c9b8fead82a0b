"""Models held against what came later."""
