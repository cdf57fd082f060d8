"""Journeys: which steps calls went through, under random ids, and whether an answer helped."""
