"""The quality desk's front: judge a draft, and the rules that genres are made of."""
