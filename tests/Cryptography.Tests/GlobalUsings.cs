global using System.Collections.Immutable;
global using System.Security.Cryptography;
global using System.Security.Cryptography.X509Certificates;
