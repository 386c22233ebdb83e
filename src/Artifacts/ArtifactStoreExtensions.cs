using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Muster.Artifacts;

/// <summary>Wires the store of artifacts: a folder, or the bucket that the settings name.</summary>
public static class ArtifactStoreExtensions
{
    public static IServiceCollection AddArtifactStore(this IServiceCollection services, string folder)
    {
        services.AddOptionsWithValidateOnStart<S3ArtifactOptions, S3ArtifactOptionsValidator>()
            .BindConfiguration(S3ArtifactOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<S3ArtifactOptions>, S3ArtifactOptionsCrossValidator>());
        services.TryAddSingleton<IArtifactStore>(provider =>
        {
            var bucket = provider.GetRequiredService<IOptions<S3ArtifactOptions>>().Value;
            var clock = provider.GetRequiredService<TimeProvider>();
            return bucket.IsUsed ? new S3ArtifactStore(bucket, clock) : new FolderArtifactStore(folder, clock);
        });
        return services;
    }
}
