using System.Reflection;
using System.Runtime.InteropServices;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Muster.Cryptography.Pkcs11;

/// <summary>Loads a manufacturer's library (a PKCS #11 module) and starts it.</summary>
internal static class TokenLibrary
{
    public static readonly Pkcs11InteropFactories Factories = new();

    /// <summary>
    /// The package asks for 'libdl', whose unversioned name is there only where C programs are built; from glibc
    /// 2.34 on it is part of libc.
    /// </summary>
    private static readonly string[] LoaderNames = ["libdl.so.2", "libc.so.6", "libc.so"];

    static TokenLibrary() => NativeLibrary.SetDllImportResolver(typeof(Pkcs11InteropFactories).Assembly, ResolveLoader);

    public static IPkcs11Library Load(string path)
    {
        try
        {
            return Factories.Pkcs11LibraryFactory.LoadPkcs11Library(Factories, path, AppType.MultiThreaded);
        }
        catch (Exception fault) when (fault is Pkcs11Exception or UnmanagedException)
        {
            var cause = (fault as Pkcs11Exception)?.RV.ToString() ?? "it is no PKCS #11 library";
            throw new TokenException(
                $"The module '{path}' does not start ({cause}): see to its "
                + "own settings, and that its token can be reached.",
                fault);
        }
    }

    private static IntPtr ResolveLoader(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != "libdl")
        {
            return IntPtr.Zero;
        }

        foreach (var candidate in LoaderNames)
        {
            if (NativeLibrary.TryLoad(candidate, out var loaded))
            {
                return loaded;
            }
        }

        return IntPtr.Zero;
    }
}
