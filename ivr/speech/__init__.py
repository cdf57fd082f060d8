"""The helpline's voice: the clips that callers hear, made by pyttsx3 or recorded by a person."""
