"""The main job played from outside, over HTTP alone, as a foreign program would."""
