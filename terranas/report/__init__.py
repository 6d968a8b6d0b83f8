"""The page that shows what came out of a study."""
