"""`python -m pipelines` is `chart-diffusion`."""

from pipelines.commands.main import main

main()
