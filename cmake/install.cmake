# What `cmake --install` puts where, besides the program (src/host/cli) and the CUDA module (src/kernels/cuda): public headers,
# documents, manual page.
install(DIRECTORY include/rs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES README.md CHANGELOG.md LICENSE src/host/record/SCHEMA.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DATADIR}/resnet_study/experiments FILES_MATCHING PATTERN "*.yaml"
        PATTERN published EXCLUDE PATTERN results EXCLUDE)
install(DIRECTORY networks/ DESTINATION ${CMAKE_INSTALL_DATADIR}/resnet_study/networks FILES_MATCHING PATTERN "*.yaml")

# The manual page and the completions are made of the program's own --help, so they cannot say anything else.
# rs_from_help(OUTPUT DESTINATION SCRIPT [SHELL])
function(rs_from_help output destination script)
  file(GLOB sources ${PROJECT_SOURCE_DIR}/scripts/${script}*.*)
  add_custom_command(
    OUTPUT ${PROJECT_BINARY_DIR}/${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/completions
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/${script}.sh ${ARGN} $<TARGET_FILE:resnet_study> > ${PROJECT_BINARY_DIR}/${output}
    DEPENDS resnet_study ${sources}
    COMMENT "${output}")
  add_custom_target(rs_${script}${ARGN} ALL DEPENDS ${PROJECT_BINARY_DIR}/${output})
  install(FILES ${PROJECT_BINARY_DIR}/${output} DESTINATION ${destination})
endfunction()
rs_from_help(resnet_study.1 ${CMAKE_INSTALL_MANDIR}/man1 man_page)
rs_from_help(completions/resnet_study ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
rs_from_help(completions/_resnet_study ${CMAKE_INSTALL_DATADIR}/zsh/site-functions completion zsh)
