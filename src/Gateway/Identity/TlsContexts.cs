using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Muster.Gateway.Identity;

/// <summary>
/// Less of OpenSSL's memory for each connection, by calls that OpenSSL documents and the runtime does not offer. Buffers of records
/// (31 kB) are given back while nothing is read or written. Connections share a context (12 kB) although no session is ever resumed: the
/// runtime shares one only where it would resume, so each ClientHello takes that back before a session is looked for, and is refused if
/// it cannot. It is of the whole process: no TLS server in it resumes.
/// </summary>
internal static unsafe partial class TlsContexts
{
    /// <summary>The library that a runtime on OpenSSL 3 has loaded itself.</summary>
    private const string Library = "libssl.so.3";

    private const long VersionMin = 0x3000_0000;
    private const long VersionEnd = 0x4000_0000;

    // The numbers are of OpenSSL's public headers (crypto.h, ssl.h, tls1.h), and part of its binary interface.
    private const int ContextClass = 1;
    private const int ModeCommand = 33;
    private const int SetCacheCommand = 44;
    private const int GetCacheCommand = 45;
    private const nint ReleaseBuffers = 0x10;
    private const nint NoCache = 0;
    private const ulong NoTicket = 1UL << 14;
    private const int HelloAccepted = 1;
    private const int HelloRefused = 0;
    private const int InternalErrorAlert = 80;

    private static readonly Lazy<bool> s_isInstalled = new(Install);
    private static volatile bool s_hasSeenHello;

    /// <summary>
    /// True when a handshake of this process was seen to lose its right to be resumed. Only then may the runtime be told that it may
    /// resume: before, and wherever OpenSSL is not what is expected here, every connection has a context of its own.
    /// </summary>
    public static bool NeverResume => s_hasSeenHello;

    /// <summary>Before anything listens: contexts made earlier are not known here. False where the runtime has no OpenSSL 3.</summary>
    public static bool Prepare() => s_isInstalled.Value;

    private static bool Install()
    {
        try
        {
            // Asking for the version also lets the runtime begin with OpenSSL in its own way.
            return OperatingSystem.IsLinux()
                && SafeEvpPKeyHandle.OpenSslVersion is >= VersionMin and < VersionEnd
                && RegisterIndex(ContextClass, 0, 0, &OnContext, null, null) >= 0;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    /// <summary>OpenSSL has made a context, for whomever.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnContext(nint context, nint value, nint values, int index, nint number, nint argument)
    {
        ControlContext(context, ModeCommand, ReleaseBuffers, 0);
        SetHelloCallback(context, &OnHello, 0);
    }

    /// <summary>A server has read a ClientHello, and has not yet looked for a session to resume.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnHello(nint connection, int* alert, nint argument)
    {
        var context = ContextOf(connection);
        ControlContext(context, SetCacheCommand, NoCache, 0);
        var options = SetOptions(connection, NoTicket);
        var isDone = SetTickets(connection, 0) != 0 && TicketsOf(connection) == 0;
        if (isDone && (options & NoTicket) != 0 && ControlContext(context, GetCacheCommand, 0, 0) == NoCache)
        {
            s_hasSeenHello = true;
            return HelloAccepted;
        }

        *alert = InternalErrorAlert;
        return HelloRefused;
    }

    // libcrypto is what libssl is linked to, so one name finds both.
    [LibraryImport(Library, EntryPoint = "CRYPTO_get_ex_new_index")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RegisterIndex(
        int classIndex,
        nint number,
        nint argument,
        delegate* unmanaged[Cdecl]<nint, nint, nint, int, nint, nint, void> created,
        void* copied,
        void* freed);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_ctrl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ControlContext(nint context, int command, nint number, nint argument);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_set_client_hello_cb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void SetHelloCallback(nint context, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback, nint argument);

    [LibraryImport(Library, EntryPoint = "SSL_get_SSL_CTX")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ContextOf(nint connection);

    [LibraryImport(Library, EntryPoint = "SSL_set_options")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial ulong SetOptions(nint connection, ulong options);

    [LibraryImport(Library, EntryPoint = "SSL_set_num_tickets")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetTickets(nint connection, nuint count);

    [LibraryImport(Library, EntryPoint = "SSL_get_num_tickets")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nuint TicketsOf(nint connection);
}
