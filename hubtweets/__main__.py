"""`python -m hubtweets` and `accelerate launch -m hubtweets`."""

from hubtweets.cli.main import main

if __name__ == "__main__":
    main(prog_name="hubtweets")
