global using Muster.Testing.Stores;
