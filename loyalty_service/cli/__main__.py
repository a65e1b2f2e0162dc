"""`python -m loyalty_service.cli`."""

from loyalty_service.cli import main

if __name__ == "__main__":
    main()
