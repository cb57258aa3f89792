"""`python -m chaos` is `chaos`."""

from chaos.cli import main

main()
