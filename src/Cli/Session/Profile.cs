using System.Text.Json;
using System.Text.Json.Serialization;

namespace Muster.Cli.Session;

/// <summary>What a profile says: where the server is and who calls.</summary>
/// <param name="Server">For example <c>https://localhost:7443</c>.</param>
/// <param name="Operator">The operator's id.</param>
/// <param name="Tenant">Filled into names that are given short.</param>
public sealed record Profile(
    [property: JsonPropertyName("server")] string Server,
    [property: JsonPropertyName("operator")] string Operator,
    [property: JsonPropertyName("tenant")] string Tenant = Profile.TenantDefault)
{
    public const string TenantDefault = "default";
}

/// <summary>
/// A folder with <c>profile.json</c>, <c>operator.key</c> (mode 0600), <c>operator.pem</c> and <c>server-ca.pem</c>; while a
/// certificate is asked for, <c>operator.csr</c>.
/// </summary>
public sealed class ProfileFolder(string path)
{
    public const string EnvironmentVariable = "MUSTER_PROFILE";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string KeyFile => In("operator.key");

    public string CertificateFile => In("operator.pem");

    public string RequestFile => In("operator.csr");

    public string ServerAuthorityFile => In("server-ca.pem");

    private string ProfileFile => In("profile.json");

    /// <summary>The folder that was named; else of the environment; else of the user.</summary>
    public static ProfileFolder Find(string? named, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return new ProfileFolder(
            !string.IsNullOrEmpty(named) ? named
            : environment(EnvironmentVariable) is { Length: > 0 } set ? set
            : System.IO.Path.Combine(home, ".muster"));
    }

    public Profile Read()
    {
        if (!File.Exists(ProfileFile))
        {
            throw new UsageException(
                $"There is no profile in '{Path}'; name one with --profile or {EnvironmentVariable}, or begin with 'operators request'.");
        }

        try
        {
            return JsonSerializer.Deserialize<Profile>(ReadText(ProfileFile)) is { Server.Length: > 0, Tenant.Length: > 0 } profile
                ? profile
                : throw new UsageException($"'{ProfileFile}' names no server.");
        }
        catch (JsonException exception)
        {
            throw new UsageException($"'{ProfileFile}' is not a profile: {exception.Message}", exception);
        }
    }

    public void Write(Profile profile)
    {
        CreateFolder();
        File.WriteAllText(ProfileFile, JsonSerializer.Serialize(profile, Json) + "\n");
    }

    /// <summary>Writes a key that only its owner can read, from the first byte on; never over another one.</summary>
    public void WriteKey(string pem)
    {
        CreateFolder();
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        try
        {
            using var file = new StreamWriter(KeyFile, options);
            file.Write(pem);
        }
        catch (IOException exception) when (File.Exists(KeyFile))
        {
            throw new UsageException($"There already is a key in '{Path}'; name another folder with --profile.", exception);
        }
    }

    public static string ReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot read '{file}': {exception.Message}", exception);
        }
    }

    private string In(string file) => System.IO.Path.Combine(Path, file);

    private void CreateFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
        }
        else
        {
            Directory.CreateDirectory(Path, OwnerOnly | UnixFileMode.UserExecute);
        }
    }
}
