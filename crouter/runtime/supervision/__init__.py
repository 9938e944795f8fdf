"""Several processes behind one port: started, watched, replaced one by one. What each of them does is not here."""
